import { readFileSync } from 'node:fs';
import type * as z from 'zod';
import { whyUnreadable } from './why-unreadable.js';

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
    if (!unreadable.has(name)) problems.push(describe(schema, issue, raw));
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
  } catch (error) {
    throw new Error(`${name}_FILE: the file that it names ${whyUnreadable(error)}`, { cause: error });
  }
}

function describe(schema: z.ZodObject, issue: z.core.$ZodIssue, raw: Record<string, string>): string {
  const name = String(issue.path[0] ?? '');
  const value = raw[name];
  if (name === '') return issue.message;
  if (value === undefined) return `${name}: is not set`;
  return `${name}: ${quotes(schema, issue, value) ? 'is not valid' : issue.message}`;
}

/** Zod's own messages tell the rule alone, however much of it the value may resemble; so does one that another value gets, too. */
function quotes(schema: z.ZodObject, { code, message, path }: z.core.$ZodIssue, value: string): boolean {
  if (code !== 'custom' || !message.includes(value)) return false;
  const other = (schema.shape[String(path[0])] as z.ZodType).safeParse('\0');
  return !other.error?.issues.some((issue) => issue.message === message);
}
