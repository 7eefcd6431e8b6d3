import { readFileSync } from 'node:fs';
import type * as z from 'zod';

/** Everything that is wrong with the environment, by the variables' names; their values are never quoted. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(
      `the configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n${problems.map((one) => `  ${one}`).join('\n')}`,
    );
    this.name = 'ConfigError';
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables that the schema names. `NAME_FILE` stands for a file that holds the value of NAME (a final line break is not part of it);
 * an empty variable counts as absent. Throws ConfigError with all problems at once.
 */
export function loadConfig<S extends z.ZodObject>(schema: S, env: Environment): z.output<S> {
  const problems: string[] = [];
  const raw: Record<string, string> = {};
  const unreadable = new Set<string>();
  for (const name of Object.keys(schema.shape)) {
    try {
      const value = readVariable(name, env);
      if (value !== undefined) raw[name] = value;
    } catch (error) {
      unreadable.add(name);
      problems.push((error as Error).message);
    }
  }
  const result = schema.safeParse(raw);
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0] ?? '');
    if (!unreadable.has(name)) problems.push(describe(name, issue.message, raw));
  }
  if (!result.success || problems.length > 0) throw new ConfigError(problems);
  return result.data;
}

function readVariable(name: string, env: Environment): string | undefined {
  const value = env[name] || undefined;
  const file = env[`${name}_FILE`] || undefined;
  if (file === undefined) return value;
  if (value !== undefined) throw new Error(`${name}: set either it or ${name}_FILE, not both`);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '') || undefined;
  } catch {
    throw new Error(`${name}_FILE: the file that it names cannot be read`);
  }
}

function describe(name: string, message: string, raw: Record<string, string>): string {
  const value = raw[name];
  if (name === '') return message;
  if (value === undefined) return `${name}: is not set`;
  return `${name}: ${message.includes(value) ? 'is not valid' : message}`;
}
