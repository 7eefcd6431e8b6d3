import { create } from '@bufbuild/protobuf';
import { fromHex, toHex } from '@sotto/protocol';
import { type Caller, CallerSchema } from '@sotto/protocol/internal';
import type { RpcCaller } from './caller.js';

export function callerFromWire(caller: Caller | undefined): RpcCaller {
  return {
    account: caller === undefined ? '' : toHex(caller.account),
    device: caller === undefined ? '' : toHex(caller.device),
    pending: caller?.pending ?? false,
    channelBinding: caller?.channelBinding ?? new Uint8Array(),
    address: caller?.address ?? '',
    service: caller?.service ?? '',
  };
}

export function callerToWire(caller: RpcCaller): Caller {
  return create(CallerSchema, { ...caller, account: fromHex(caller.account), device: fromHex(caller.device) });
}

/** A service that calls for itself. */
export function serviceCaller(service: string): RpcCaller {
  return { account: '', device: '', pending: false, channelBinding: new Uint8Array(), address: '', service };
}
