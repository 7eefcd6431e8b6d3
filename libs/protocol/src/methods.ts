import { type DescMethod, type DescMethodUnary, type DescService, getOption } from '@bufbuild/protobuf';
import { Accounts, Invites } from './generated/sotto/v1/accounts_pb.js';
import { Approvals } from './generated/sotto/v1/approvals_pb.js';
import { Contacts } from './generated/sotto/v1/contacts_pb.js';
import { KeyPackages } from './generated/sotto/v1/key_packages_pb.js';
import { Sessions } from './generated/sotto/v1/sessions_pb.js';
import { AccountLookup, Admin, ContactLookup, Gateways, KeyPackageLedger } from './generated/sotto/internal/v1/internal_pb.js';
import { caller, CallerClass, rate, RateClass } from './generated/sotto/v1/options_pb.js';

/** All services there are. A service that is missing here does not exist for gateways, transports and tests. */
export const SERVICES: readonly DescService[] = [
  Sessions,
  Accounts,
  Invites,
  Approvals,
  Contacts,
  KeyPackages,
  AccountLookup,
  Gateways,
  Admin,
  ContactLookup,
  KeyPackageLedger,
];

/** A method with what it declares. */
export interface MethodContract {
  /** "sotto.v1.Contacts/List" */
  name: string;
  method: DescMethodUnary;
  caller: CallerClass;
  rate: RateClass;
}

/** "sotto.v1.Contacts/List" */
export function methodName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** Throws TypeError for a method that does not declare both options, or is not unary. */
export function contractOf(method: DescMethod): MethodContract {
  const name = methodName(method);
  if (method.methodKind !== 'unary') throw new TypeError(`${name} is not unary`);
  const contract = { name, method: method as DescMethodUnary, caller: getOption(method, caller), rate: getOption(method, rate) };
  if (contract.caller === CallerClass.UNSPECIFIED) throw new TypeError(`${name} does not declare (caller)`);
  if (contract.rate === RateClass.UNSPECIFIED) throw new TypeError(`${name} does not declare (rate)`);
  return contract;
}

/** Every method by its name. */
export const METHODS: ReadonlyMap<string, MethodContract> = new Map(
  SERVICES.flatMap((service) => service.methods.map(contractOf)).map((contract) => [contract.name, contract]),
);
