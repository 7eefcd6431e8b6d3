// The one home of wire types. Everything here is generated from proto/ or derived from it.
export { caller as callerOption, rate as rateOption, remedy as remedyOption, CallerClass, RateClass, Remedy } from './generated/sotto/v1/options_pb.js';
export { ErrorCode, ErrorCodeSchema, ErrorSchema, type Error as WireError } from './generated/sotto/v1/errors_pb.js';
