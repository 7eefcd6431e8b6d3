import { getOption } from '@bufbuild/protobuf';
import { ErrorCode, ErrorCodeSchema } from './generated/sotto/v1/errors_pb.js';
import { remedy, Remedy } from './generated/sotto/v1/options_pb.js';

const REMEDIES = new Map(ErrorCodeSchema.values.map((value) => [value.number as ErrorCode, getOption(value, remedy)]));

/** What a client does about an error; a code that this version does not know is retried later. */
export function remedyOf(code: ErrorCode): Remedy {
  return REMEDIES.get(code) ?? Remedy.BACK_OFF;
}
