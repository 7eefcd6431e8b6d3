import { CallerClass, type MethodContract } from '@sotto/protocol';

/**
 * Where a method is served: `call.sotto.v1.Contacts.List`, or `svc.…` for methods that only services may call. The broker's permissions
 * are written against these two prefixes.
 */
export function subjectOf(contract: MethodContract): string {
  const prefix = contract.caller === CallerClass.SERVICE ? 'svc' : 'call';
  return `${prefix}.${contract.method.parent.typeName}.${contract.method.name}`;
}
