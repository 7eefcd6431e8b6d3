import { UsageError } from '../command-line/usage-error.js';

/** The fields of each command as one JSON object, beside `do`; those that end in a question mark may be left out. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  send: ['text', 'to?'],
  to: ['name'],
  reply: ['message', 'text', 'in?'],
  edit: ['message', 'text', 'in?'],
  delete: ['message', 'in?'],
  react: ['message', 'emoji', 'in?'],
  unreact: ['message', 'emoji?', 'in?'],
  read: ['message', 'in?'],
  show: ['message', 'in?'],
  typing: ['in?'],
  expire: ['seconds', 'in?'],
  'read-receipts': ['on'],
  retention: ['days'],
  history: ['name', 'count?'],
  search: ['text', 'count?', 'in?'],
  queue: [],
  resend: ['message', 'in?'],
  discard: ['message', 'in?'],
  contacts: [],
  add: ['name'],
  accept: ['name'],
  decline: ['name'],
  remove: ['name'],
  block: ['name'],
  unblock: ['name'],
  verify: ['name'],
  confirm: ['name'],
  devices: [],
  approve: ['device?', 'code?'],
  deny: ['device?'],
  invisible: ['on'],
  revoke: ['device', 'confirm?'],
  recovery: ['file', 'passphrase'],
  'reset-key': ['password', 'confirm'],
  password: ['password', 'new'],
  login: ['password'],
  'delete-account': ['password', 'confirm'],
  invite: ['name?'],
  panic: ['name', 'everywhere?'],
  connect: ['address', 'pin?'],
  help: [],
  quit: [],
};

/** Of `group`, by its `action`. */
const GROUP_FORMS: Readonly<Record<string, readonly string[]>> = {
  new: ['name', 'contacts?'],
  list: [],
  members: ['group'],
  add: ['group', 'names'],
  remove: ['group', 'names'],
  rename: ['group', 'name'],
  admin: ['group', 'name', 'admin?'],
  leave: ['group'],
  accept: ['id'],
  decline: ['id'],
};

/** How each command is called in what people read, and what its object holds. */
export const JSON_FORMS: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ...Object.entries(FORMS),
  ...Object.entries(GROUP_FORMS).map(([action, fields]): [string, readonly string[]] => [`group ${action}`, fields]),
]);

/** A field that no command of that name has may be half of what was meant. Throws UsageError. */
export function checkFields(value: Readonly<Record<string, unknown>>): void {
  const inGroup = value['do'] === 'group';
  const called = inGroup ? `group ${String(value['action'])}` : String(value['do']);
  const form = JSON_FORMS.get(called);
  if (form === undefined) return;
  const known = [...(inGroup ? ['action'] : []), ...form.map(nameOf)];
  const unknown = Object.keys(value).find((field) => field !== 'do' && !known.includes(field));
  if (unknown === undefined) return;
  const takes = known.length === 0 ? 'it stands alone' : `it takes ${known.map((field) => `"${field}"`).join(', ')}`;
  throw new UsageError(`"${called}" knows no "${unknown}": nothing was done; ${takes}`);
}

/** What `{"do":"help"}` shows. */
export function jsonHelp(): string {
  const lines = [...JSON_FORMS].map(([called, fields]) => `  ${called.padEnd(16)} ${fields.join(' ')}`.trimEnd());
  return `One JSON object a line: "do" and the fields of the command, of which those with ? may be left out.
Those of groups have "do": "group" and the second word as "action".
${lines.join('\n')}`;
}

const nameOf = (field: string) => field.replace('?', '');
