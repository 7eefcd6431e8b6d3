import { didYouMean } from '../command-line/suggestion.js';
import { UsageError } from '../command-line/usage-error.js';
import type { JsonFields } from './json-fields.js';
import { firstWord, wordsOf } from './words.js';

/** `group` is a group's name, or the first characters of its id (`keep`: or a contact's name); so is `id` of an invitation. */
export type GroupCommand = { readonly do: 'group' } & (
  | { readonly action: 'list' }
  | { readonly action: 'new'; readonly name: string; readonly contacts: readonly string[] }
  | { readonly action: 'add' | 'remove' | 'keep'; readonly group: string; readonly names: readonly string[] }
  | { readonly action: 'leave' | 'members'; readonly group: string }
  | { readonly action: 'rename'; readonly group: string; readonly name: string }
  | { readonly action: 'admin'; readonly group: string; readonly name: string; readonly admin: boolean }
  | { readonly action: 'accept' | 'decline'; readonly id: string }
);

export type GroupAction = GroupCommand['action'];

/** How each is typed. */
const FORMS: Readonly<Record<GroupAction, string>> = {
  new: 'NAME [CONTACT…]',
  add: 'GROUP NAME…',
  remove: 'GROUP NAME…',
  keep: 'GROUP NAME…',
  leave: 'GROUP',
  rename: 'GROUP NEW NAME',
  members: 'GROUP',
  admin: 'GROUP NAME [off]',
  list: '',
  accept: 'ID',
  decline: 'ID',
};
const ACTIONS = Object.keys(FORMS) as GroupAction[];

/** What follows `/group`. Throws UsageError. */
export function parseTypedGroup(text: string): GroupCommand {
  const { word, rest } = firstWord(text) ?? { word: 'list', rest: '' };
  const action = actionOf(word);
  return action === 'rename' ? typedRename(rest) : withWords(action, wordsOf(rest));
}

function actionOf(word: string): GroupAction {
  const action = ACTIONS.find((each) => each === word);
  if (action !== undefined) return action;
  throw new UsageError(`there is no /group ${word}${didYouMean(word, ACTIONS, '/group ') || ':'} /help lists what there is`);
}

/** The new name is all that follows, quotes or not. */
function typedRename(text: string): GroupCommand {
  const { word: group = '', rest = '' } = firstWord(text) ?? {};
  const name = /^"([^"]+)"$/u.exec(rest)?.[1] ?? rest;
  if (name === '') throw takes('rename');
  return { do: 'group', action: 'rename', group, name };
}

function withWords(action: Exclude<GroupAction, 'rename'>, words: readonly string[]): GroupCommand {
  const [first = '', ...names] = words;
  if (action !== 'list' && first === '') throw takes(action);
  switch (action) {
    case 'new':
      return { do: 'group', action, name: first, contacts: names };
    case 'add':
    case 'remove':
    case 'keep':
      if (names.length === 0) throw takes(action);
      return { do: 'group', action, group: first, names };
    case 'admin':
      return typedAdmin(first, names);
    default:
      if (words.length > (action === 'list' ? 0 : 1)) throw takes(action);
      return withOneWord(action, first);
  }
}

function withOneWord(action: 'list' | 'leave' | 'members' | 'accept' | 'decline', word: string): GroupCommand {
  if (action === 'list') return { do: 'group', action };
  if (action === 'accept' || action === 'decline') return { do: 'group', action, id: word };
  return { do: 'group', action, group: word };
}

function typedAdmin(group: string, [name = '', off, ...more]: readonly string[]): GroupCommand {
  if (name === '' || more.length > 0 || (off !== undefined && off !== 'off')) throw takes('admin');
  return { do: 'group', action: 'admin', group, name, admin: off === undefined };
}

/** The same command with its people called otherwise. */
export function withPeople(command: GroupCommand, called: (name: string) => string): GroupCommand {
  switch (command.action) {
    case 'new':
      return { ...command, contacts: command.contacts.map(called) };
    case 'add':
    case 'remove':
    case 'keep':
      return { ...command, names: command.names.map(called) };
    case 'admin':
      return { ...command, name: called(command.name) };
    default:
      return command;
  }
}

function takes(action: GroupAction): UsageError {
  const form = FORMS[action] === '' ? 'stands alone' : `takes ${FORMS[action]}`;
  return new UsageError(`/group ${action} ${form}; a name with spaces goes in "quotes"`);
}

/** Throws UsageError. */
export function parseJsonGroup(fields: JsonFields): GroupCommand {
  const action = ACTIONS.find((each) => each === fields.value['action']);
  switch (action) {
    case 'new':
      return { do: 'group', action, name: fields.text('name'), contacts: fields.texts('contacts') };
    case 'add':
    case 'remove':
    case 'keep':
      return { do: 'group', action, group: fields.text('group'), names: someNames(fields) };
    case 'rename':
      return { do: 'group', action, group: fields.text('group'), name: fields.text('name') };
    case 'admin':
      return { do: 'group', action, group: fields.text('group'), name: fields.text('name'), admin: fields.flag('admin', true) };
    case 'leave':
    case 'members':
      return { do: 'group', action, group: fields.text('group') };
    case 'accept':
    case 'decline':
      return { do: 'group', action, id: fields.text('id') };
    case 'list':
      return { do: 'group', action };
    default:
      throw new UsageError(`"action" of "group" is one of ${ACTIONS.join(', ')}`);
  }
}

function someNames(fields: JsonFields): readonly string[] {
  const names = fields.texts('names');
  if (names.length === 0) throw new UsageError('"names" is a list of one text or more');
  return names;
}
