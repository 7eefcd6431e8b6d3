import type { ChatEvent, DeviceView } from './chat-event.js';
import { clock, oneLine, visible } from './shown-text.js';

type ApprovalEvent = Extract<ChatEvent, { event: 'approval' }>;
type AccountEvent = ApprovalEvent | Extract<ChatEvent, { event: 'devices' | 'revoked' | 'recovery-written' | 'invite' }>;

/** Ids are long; so many digits tell the devices of an account apart, and the commands take them. */
const SHORT_ID = 8;

/** What concerns the account and its devices, as the user reads it. */
export function renderAccountEvent(event: AccountEvent, now: number): string[] {
  switch (event.event) {
    case 'devices':
      return event.devices.map(deviceLine);
    case 'approval':
      return approvalLines(event, now);
    case 'revoked':
      return [`${clock(now, now)} · the session of device ${shortDevice(event.device)} is over`];
    case 'recovery-written':
      return [
        `Written: ${visible(event.file)}. Keep it where this device is not; whoever has it, its passphrase and your password has the account.`,
      ];
    case 'invite':
      return [event.link, `For one person, until ${new Date(event.expires * 1_000).toLocaleString()}.`];
  }
}

function deviceLine({ device, name, own, online, pending, revoked }: DeviceView): string {
  const standing = revoked ? 'revoked' : pending ? 'waits to be let in' : online ? 'online' : 'offline';
  const called = name === undefined ? '' : ` "${oneLine(name)}"`;
  return `${online ? '●' : '○'} ${shortDevice(device)}${called}  ${standing}${own ? ', this one' : ''}`;
}

function approvalLines(event: ApprovalEvent, now: number): string[] {
  const [first = '', ...rest] = event.own ? ownLines(event) : othersLines(event, now);
  return [`${clock(now, now)} ! ${first}`, ...rest.map((line) => `  ${line}`)];
}

/** On the device that waits. */
function ownLines({ stage, code = '' }: ApprovalEvent): string[] {
  switch (stage) {
    case 'asked':
      return [
        'This device waits to be let in. On one that you use already, type /approve.',
        'No other at hand? Leave, and come back with --recovery FILE; or, if nothing is left, /reset-key (of sotto join).',
      ];
    case 'compare':
      return [
        `The code is ${spaced(code)}. Your other device must show the same: type /approve ${code} there, and then here.`,
        'Another code there? Then somebody is between your devices: /deny.',
      ];
    case 'approved':
      return ['This device is let in.'];
    case 'taken':
      return ['One of your devices answers.'];
    case 'refused':
      return ['Your other device has refused, or this one has taken back what it asked. /approve asks again.'];
    case 'expired':
      return ['It took longer than ten minutes. /approve asks again.'];
    case 'ended':
      return ['The server knows of the request no more. /approve asks again.'];
    case 'broken':
      return ['The two devices did not find to each other untouched. /approve asks again; if it happens again, do not trust this server.'];
  }
}

/** On a device that can let another in. */
function othersLines({ device, name, stage, code = '', askedAt }: ApprovalEvent, now: number): string[] {
  const which = `device ${shortDevice(device)}`;
  switch (stage) {
    case 'asked':
      return [
        `A new device wants into your account: "${oneLine(name)}", ${which}, asked at ${clock(askedAt, now)}.`,
        '/approve shows a code to compare, /deny refuses.',
        `Not you? Then somebody has your password: /revoke ${shortDevice(device)}, and /password.`,
      ];
    case 'compare':
      return [
        `The code of ${which} is ${spaced(code)}. If the new device shows the same: /approve ${code}.`,
        'Another code there, or none? Then somebody is between your devices: /deny.',
      ];
    case 'approved':
      return [`The key is on its way: type the code on ${which} as well, and it is in.`];
    case 'taken':
      return [`Another of your devices answers ${which}.`];
    case 'refused':
      return [`Refused: ${which}. /revoke ${shortDevice(device)} ends its session, too.`];
    case 'expired':
      return [`It took longer than ten minutes: ${which} has to ask again.`];
    case 'ended':
      return [`It waits no more: ${which}.`];
    case 'broken':
      return [`Somebody between altered what ${which} said. It was refused; if it happens again, do not trust this server.`];
  }
}

export function shortDevice(device: string): string {
  return device.slice(0, SHORT_ID);
}

function spaced(code: string): string {
  return `${code.slice(0, 4)} ${code.slice(4)}`;
}
