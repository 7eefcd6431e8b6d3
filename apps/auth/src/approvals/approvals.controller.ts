import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  type AppendApprovalRequest,
  type AppendApprovalResponseSchema,
  Approvals,
  type AskApprovalRequest,
  type AskApprovalResponseSchema,
  ErrorCode,
  fromHex,
  ID_BYTES,
  LIMITS,
  type ListApprovalsRequest,
  type ListApprovalsResponseSchema,
  type RefuseApprovalRequest,
  type RefuseApprovalResponseSchema,
  TIMES,
  toHex,
} from '@sotto/protocol';
import { Rpc, type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { SessionEnder } from '../sessions/session-ender.js';
import { unixNow } from '../sessions/unix-now.js';
import { APPROVAL_STORE, type ApprovalStore } from './approval.store.js';

/** Carries the messages of two devices of one account past each other. */
@Controller()
export class ApprovalsController {
  constructor(
    @Inject(APPROVAL_STORE) private readonly approvals: ApprovalStore,
    private readonly ender: SessionEnder,
  ) {}

  @Rpc(Approvals.method.ask)
  async ask(@Payload() request: AskApprovalRequest, @Ctx() caller: RpcCaller): Promise<MessageInitShape<typeof AskApprovalResponseSchema>> {
    if (!caller.pending) throw new RpcError(ErrorCode.FORBIDDEN, 'This device is confirmed already.');
    if (Buffer.byteLength(request.deviceName) > LIMITS.deviceNameBytes) {
      throw new RpcError(ErrorCode.TOO_LARGE, `The name of a device has at most ${LIMITS.deviceNameBytes} bytes.`);
    }
    assertMessage(request.message);
    const asked = { device: caller.device, name: request.deviceName, message: request.message };
    if (!(await this.approvals.ask(caller.account, asked, unixNow()))) {
      throw new RpcError(
        ErrorCode.LIMIT_REACHED,
        `At most ${LIMITS.approvalsPerAccount} devices wait at once; refuse one, or wait ten minutes.`,
      );
    }
    await this.ender.tellDevices(caller.account);
    return { lifetime: TIMES.approvalSeconds };
  }

  @Rpc(Approvals.method.list)
  async list(
    @Payload() _request: ListApprovalsRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof ListApprovalsResponseSchema>> {
    const all = await this.approvals.list(caller.account, unixNow());
    const approvals = all
      .filter(({ device }) => !caller.pending || device === caller.device)
      .map(({ device, name, asked, expires, messages, approver, refused }) => {
        const times = { asked: BigInt(asked), expires: BigInt(expires) };
        return { device: fromHex(device), deviceName: name, ...times, messages, approver: fromHex(approver), refused };
      });
    return { approvals };
  }

  @Rpc(Approvals.method.append)
  async append(
    @Payload() request: AppendApprovalRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof AppendApprovalResponseSchema>> {
    const device = deviceOf(request);
    assertMessage(request.message);
    const { position, message } = request;
    // Even positions are the pending device's own, odd ones a confirmed device's.
    if (caller.pending ? device !== caller.device || position % 2 === 1 : position % 2 === 0) {
      throw new RpcError(ErrorCode.FORBIDDEN, 'It is not this device’s turn.');
    }
    if (!(await this.approvals.append(caller.account, { device, from: caller.device, position, message }, unixNow()))) throw gone();
    await this.ender.tellDevices(caller.account);
    return {};
  }

  @Rpc(Approvals.method.refuse)
  async refuse(
    @Payload() request: RefuseApprovalRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof RefuseApprovalResponseSchema>> {
    const device = deviceOf(request);
    if (caller.pending && device !== caller.device) throw new RpcError(ErrorCode.DEVICE_PENDING, 'Confirm this device first.');
    if (caller.pending) await this.approvals.forget(caller.account, device);
    else if (!(await this.approvals.refuse(caller.account, device, unixNow()))) throw gone();
    await this.ender.tellDevices(caller.account);
    return {};
  }
}

function deviceOf({ device }: { device: Uint8Array }): string {
  if (device.length !== ID_BYTES) throw new RpcError(ErrorCode.MALFORMED, 'A device id has 16 bytes.');
  return toHex(device);
}

function assertMessage(message: Uint8Array): void {
  if (message.length === 0) throw new RpcError(ErrorCode.MALFORMED, 'There is no message.');
  if (message.length > LIMITS.approvalMessageBytes) throw new RpcError(ErrorCode.TOO_LARGE, 'A message of an approval has at most 1 KiB.');
}

function gone(): RpcError {
  return new RpcError(ErrorCode.APPROVAL_GONE, 'This approval has expired or was refused, or another device answers it.');
}
