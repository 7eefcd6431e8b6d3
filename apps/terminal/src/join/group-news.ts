import type { ClientEvents, SottoClient } from '@sotto/client';
import type { GroupNews, MembershipChange } from './group-event.js';

type Notice = ClientEvents['group'];
type Changed = Extract<Notice, { kind: 'changed' }>;
type Members = Changed['added'];

/** What of a notice the user is told; undefined: nothing. */
export function newsOf(notice: Notice, client: SottoClient): GroupNews | undefined {
  const nameOf = ({ account, name }: { account: string; name: string }) => client.groups.nameOf(account, name);
  // A conversation of two begins and heals by itself.
  const isDirect = notice.conversation !== notice.group;
  switch (notice.kind) {
    case 'missing':
      return { what: 'missing', messages: notice.messages, asking: nameOf(notice.asking) };
    case 'waiting':
      return { what: 'waiting', id: notice.content, cause: notice.cause };
    case 'unprocessable':
      return { what: 'unprocessable', author: nameOf(notice.author) };
    case 'unjudged':
      return { what: 'unjudged', members: [...new Set(notice.members.map((member) => memberName(member, client)))] };
    case 'refused':
      return { what: 'refused', wanted: notice.wanted, why: notice.why };
    case 'given-up':
      return { what: 'given-up', id: notice.content, device: notice.device };
    case 'invited':
      return isDirect ? undefined : { what: 'invited', by: memberName(notice.by, client) };
    case 'joined':
      return isDirect ? undefined : { what: 'joined', by: memberName(notice.by, client), again: notice.again };
    case 'out':
      return isDirect ? undefined : { what: 'out' };
    case 'changed':
      return isDirect ? undefined : changeOf(notice, client);
  }
}

function memberName({ identity }: Members[number], client: SottoClient): string {
  return client.groups.nameOf(identity.account, identity.accountName);
}

/** Of accounts: who is let in again, comes and goes in one commit, and that is no news. */
function changeOf({ group, by, added, removed, renamed, promoted, demoted }: Changed, client: SottoClient): MembershipChange | undefined {
  const accountsOf = (members: Members) => new Set(members.map(({ identity }) => identity.account));
  const [came, went] = [accountsOf(added), accountsOf(removed)];
  const devicesNow = (account: string) => membersOf(group, client).find((each) => each.account === account)?.devices.length ?? 0;
  const newDevices = (account: string) => added.filter(({ identity }) => identity.account === account).length;
  const others = (members: Members, ofBoth: ReadonlySet<string>, isWhole: (account: string) => boolean, whole: boolean) => {
    const fitting = members.filter(({ identity: { account } }) => !ofBoth.has(account) && isWhole(account) === whole);
    return [...new Set(fitting.map((member) => memberName(member, client)))];
  };
  const isNew = (account: string) => devicesNow(account) <= newDevices(account);
  const isGone = (account: string) => devicesNow(account) === 0;
  const change = {
    added: others(added, went, isNew, true),
    removed: others(removed, came, isGone, true),
    devicesAdded: others(added, went, isNew, false),
    devicesRemoved: others(removed, came, isGone, false),
    promoted: promoted.map((member) => memberName(member, client)),
    demoted: demoted.map((member) => memberName(member, client)),
  };
  if (renamed === undefined && Object.values(change).every((names) => names.length === 0)) return undefined;
  return { what: 'changed', ...(by && { by: memberName(by, client) }), ...change, ...(renamed !== undefined && { renamed }) };
}

/** None when this device is out of it by now. */
function membersOf(group: string, client: SottoClient) {
  return client.groups.all().find(({ id }) => id === group)?.members ?? [];
}
