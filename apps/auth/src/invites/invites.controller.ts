import { Controller, Inject } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { type CreateInviteRequest, type CreateInviteResponseSchema, ErrorCode, Invites } from '@sotto/protocol';
import { Admin, type AdminCreateInviteRequest, type AdminCreateInviteResponseSchema } from '@sotto/protocol/internal';
import { Rpc, type RpcCaller, RpcError } from '@sotto/platform/rpc';
import { AUTH_CONFIG, type AuthConfig, SERVER_IDENTITY } from '../auth.config.js';
import type { ServerIdentity } from '../identity/server-identity.js';
import { InviteMaker } from './invites.js';

@Controller()
export class InvitesController {
  constructor(
    private readonly invites: InviteMaker,
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    @Inject(SERVER_IDENTITY) private readonly identity: ServerIdentity,
  ) {}

  @Rpc(Invites.method.create)
  create(@Payload() request: CreateInviteRequest, @Ctx() _caller: RpcCaller): Promise<MessageInitShape<typeof CreateInviteResponseSchema>> {
    if (this.config.invitesBy !== 'members') throw new RpcError(ErrorCode.FORBIDDEN, 'Only the operator of this server makes invites.');
    const { code, expires } = this.invites.make(request.name, request.lifetime);
    return Promise.resolve({ code, expires: BigInt(expires) });
  }

  @Rpc(Admin.method.createInvite)
  createAsOperator(
    @Payload() request: AdminCreateInviteRequest,
    @Ctx() _caller: RpcCaller,
  ): Promise<MessageInitShape<typeof AdminCreateInviteResponseSchema>> {
    const { code, expires } = this.invites.make(request.name, request.lifetime);
    return Promise.resolve({ code, expires: BigInt(expires), pin: this.identity.pin });
  }
}
