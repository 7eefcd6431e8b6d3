import { GROUP_RULES, type GroupRules } from '@sotto/client/core';

/** Every switch by its name: those of the fork rule as `fork.name`. */
export const RULE_NAMES: readonly string[] = Object.entries(GROUP_RULES).flatMap(([name, value]) =>
  typeof value === 'boolean' ? [name] : Object.keys(value as object).map((each) => `${name}.${each}`),
);

/** The rules with one of them turned off. */
export function withoutRule(name: string): GroupRules {
  if (!RULE_NAMES.includes(name)) throw new RangeError(`a rule is one of ${RULE_NAMES.join(', ')}`);
  const [first, second] = name.split('.') as [keyof GroupRules, string?];
  return second === undefined ? { ...GROUP_RULES, [first]: false } : { ...GROUP_RULES, fork: { ...GROUP_RULES.fork, [second]: false } };
}
