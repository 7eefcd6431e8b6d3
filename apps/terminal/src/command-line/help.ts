import { didYouMean } from './suggestion.js';
import { UsageError } from './usage-error.js';

const GENERAL = `sotto: end-to-end encrypted conversations on a server of your own

  sotto host     start a server on this machine
  sotto          open all remembered accounts, on the whole screen
  sotto join     log in (or register) and talk
  sotto servers  which accounts are remembered
  sotto mailbox  a device of yours that is always on, and keeps for your others what they miss
  sotto invite   make an invite for the server that runs here
  sotto export   write what a device has into an archive
  sotto import   make a new device from it
  sotto panic    destroy what this machine has of an account

Or without any server, from one machine to another:
  sotto listen   wait for others, and talk
  sotto connect  talk to somebody who listens

And beside that:
  sotto doctor       what is reachable, and whether what is stored here is whole
  sotto completion   what completes these commands in bash, zsh or fish
  sotto --version    this version, with those of Node and the protocol

sotto help COMMAND tells more.`;

const HOST = `sotto host [-p PORT] [-s SIZE] [options]     start a server on this machine

  -p, --port PORT          port to listen on; 0 takes a free one       (7788)
  -s, --size SIZE          most open connections; one more is refused  (1000)
      --host ADDR          address to listen on; 0.0.0.0 for all       (127.0.0.1)
      --data FOLDER        where accounts and the server's identity are kept
                           (~/.local/share/sotto/server)
      --registration WHO   invite, open or closed                      (invite)
      --name NAME          part of every account's credentials:
                           never change it                             (localhost)
      --retry-window SECS  how long a message waits in memory for someone who
                           just left, 0 to 86400                       (30)
      --json               one JSON object a line

It prints the address, the server's pin, an invite link and the line with which to join. Ctrl-C ends it.`;

/** Part of what /help shows. */
const MESSAGES = `Messages, by the number that stands before them:
  /reply N TEXT          answer                    /react N EMOJI  react
  /edit N TEXT           change one of yours       /unreact N [EMOJI]  take it back
  /delete N              delete one of yours, for everybody
  /expire DURATION       what you write here from now on goes after 30s, 10m, 8h, 7d; off
  /read-receipts on      tell others what you have read (off)
  /retention DAYS        remove messages from this device so long after they came; off`;

const JOIN = `sotto join -t HOST -p PORT -i NAME [options]     log in and talk
sotto join LINK [-i NAME]                        the same with what the link says

  -t, --to HOST            the server
  -p, --port PORT          its port                                    (7788)
  -i, --name NAME          your name: 3 to 32 of a-z, 0-9 and _
  -k, --pin PIN            the server's identity, 64 hexadecimal digits
      --trust-new          trust the identity that the server shows the first time
      --invite CODE        register with this invite
      --new                register on a server that is open to everybody
      --password-file F    the password is the first line of F
      --password-fd N      the password is the first line of descriptor N
      --recovery FILE      let this new device in by a recovery file
      --passphrase-file F  its passphrase is the first line of F
      --passphrase-fd N    its passphrase is the first line of descriptor N
      --device NAME        what a new device calls itself while it waits to be
                           let in; the server sees it         (sotto on SYSTEM)
      --store FOLDER       where this device keeps its keys and messages
                           (~/.local/share/sotto/HOST_PORT/NAME)
      --key-file F         the random bytes in F (32 or more) open what is stored, instead
                           of the password; keep F elsewhere, and for you alone
      --new-key-file       make F when it is not there
      --tls                the server is behind TLS
      --plain              line mode also on a terminal: what happens is printed line
                           by line, as a screen reader can follow it
      --json               one JSON object a line, in and out

On a terminal it takes the whole screen (? shows the keys), and the account is remembered; without one, or where TERM is
dumb, it is line mode. NO_COLOR leaves the colours out.

Without --invite or --new it only logs in. A log-in where nothing is stored makes a new device: it waits until another
device of yours lets it in, or --recovery is given. The password is asked for without echo when no file is given. It also
seals what this device stores: after /password the new one does; after a change on another device the old one, until /login.
With --key-file it does not: it is asked for only when there is to be a log-in.

${chatHelp()}`;

const MAILBOX = `sotto mailbox -t HOST -p PORT -i NAME [options]  a device of yours that is always on
sotto mailbox LINK [-i NAME]

The server keeps no messages. A mailbox takes part in all your conversations like a phone, and hands over to your other
devices what they missed while the senders were away. It holds your keys: run it on a machine that you trust, not on the
server of somebody else. Options are those of sotto join (sotto help join), but for --plain, and
      --device NAME        what it calls itself while it waits      (sotto mailbox)
      --store FOLDER       where it keeps its keys and messages
                           (~/.local/share/sotto/HOST_PORT/NAME-mailbox)
It is let in once, like every new device: by --recovery FILE; or from another of your devices by /approve there, then
/approve CODE on both. It is brought into each conversation by that other device while both are connected.

It prints a line when something happens, never what people wrote. /approve, /deny, /devices and /quit are understood while
its input is open. SIGTERM or Ctrl-C ends it when all that has arrived is stored; it ends with an error when its session is over.`;

const SERVERS = `sotto servers list                                which accounts sotto opens by itself
sotto servers add LINK|HOST:PORT [-i NAME]        remember one
sotto servers remove HOST:PORT [-i NAME]          forget it; what is stored stays

  -i, --name NAME          your name there
  -k, --pin PIN            the server's identity, when no link says it
      --store FOLDER       where the device is, when not in the usual place
      --tls                the server is behind TLS
      --json               one JSON object a line

An account is remembered when sotto join has opened it on a terminal. sotto alone opens all of them in one session: any
number of servers, one list. It asks for passwords on the screen, one for all that it opens, or takes --password-file F
or --password-fd N. The list has no secrets (~/.config/sotto/servers.json).`;

const INVITE = `sotto invite [NAME] [--data FOLDER] [--json]     make an invite for the server that runs on this machine

With NAME the invite carries that name. FOLDER is the one that sotto host was given.`;

const PEER_OPTIONS = `      --passphrase-file F  the passphrase of the store is the first line of F
      --passphrase-fd N    or the first line of descriptor N
      --store FOLDER       where this device keeps its keys and messages
                           (~/.local/share/sotto/peer/NAME)
      --key-file F         the random bytes in F (32 or more) open what is stored, instead
                           of the passphrase; keep F elsewhere, and for you alone
      --new-key-file       make F when it is not there
      --plain              line mode also on a terminal
      --json               one JSON object a line, in and out`;

const LISTEN = `sotto listen [-p PORT] -i NAME [options]         wait for others, and talk without a server

  -p, --port PORT          port to listen on; 0 takes a free one       (7789)
  -i, --name NAME          your name: 3 to 32 of a-z, 0-9 and _
      --host ADDR          address to listen on; 0.0.0.0 for all       (127.0.0.1)
  -k, --pin PIN            let in nobody new but the one with this pin
      --trust-new          of those that /connect reaches: trust the key that they show the first time
${PEER_OPTIONS}

It prints the line with which others reach you. Without -k whoever reaches the port and gives a name that you don't know
becomes a contact: compare safety numbers before you say anything. NAME, keys and messages stay in the store: the next
sotto listen or connect with it is the same person. The passphrase seals it, and is asked for without echo when no file is given.

${peerHelp()}`;

const CONNECT = `sotto connect HOST[:PORT] -i NAME [options]      talk to somebody who listens, without a server

  -i, --name NAME          your name: 3 to 32 of a-z, 0-9 and _
  -k, --pin PIN            the pin of who is to be there, 64 hexadecimal digits
      --trust-new          trust the key that a new peer shows the first time
${PEER_OPTIONS}

A peer that you have not met shows its pin and the safety number, and you are asked before anything of you is told to it.
Its key is kept: when another one comes by its name, nothing is sent until you /confirm it. What you write while it is away
waits here. It keeps connected; who has never been reached ends the command.

${peerHelp()}`;

const DOCTOR = `sotto doctor                                      look at this machine and all remembered accounts
sotto doctor LINK|HOST:PORT [options]             or at one server

  -i, --name NAME          your name there: what is stored here of it is looked at, too
  -k, --pin PIN            the server's identity, when no link says it
      --password-file F    the password is the first line of F: with it the account's session is tried
      --password-fd N      the password is the first line of descriptor N
      --store FOLDER       where the device is, when not in the usual place
      --tls                the server is behind TLS
      --json               one JSON object a line

Of a server: whether its name resolves, it answers, it is a Sotto server, and shows the identity that is known here; and whether its
certificate and the clock of this machine agree. Of what is stored: who may read it, whether it is whole, who uses it, its size and
the space that is left. It changes nothing and asks for nothing; with the password, the device connects for a moment as it always does.
A line begins with ✓, with ! when something deserves a look, with ✗ when something is broken (then it ends with 1), with – when it
was not looked at.`;

const COMPLETION = `sotto completion bash|zsh|fish     print what completes the commands of sotto in a shell

  bash    source <(sotto completion bash)                    in ~/.bashrc
  zsh     source <(sotto completion zsh)                     in ~/.zshrc, after compinit
  fish    sotto completion fish > ~/.config/fish/completions/sotto.fish`;
const STORED_OPTIONS = `  -i, --name NAME          whose; one that is remembered needs no more than that
  -t, --to HOST            the server           -p, --port PORT   its port    (7788)
  -k, --pin PIN            its identity             --tls         it is behind TLS
      --store FOLDER       where the device is, when not in the usual place
                           (a mailbox's: say which)
      --password-file F    the password that opens it is the first line of F
      --password-fd N      or the first line of descriptor N
      --key-file F         or F opens it`;

const EXPORT = `sotto export FILE -i NAME [options]              write what a device has into an archive
sotto export FILE LINK [-i NAME]

${STORED_OPTIONS}
      --passphrase-file F  the passphrase of the archive is the first line of F
      --passphrase-fd N    or the first line of descriptor N
      --json               one JSON object a line

No server is needed, and no sotto may run with the store. FILE holds history, contacts with their keys, settings and the
account's key, sealed under a passphrase of its own. It holds no keys of the device: a copy of them would be used twice.
So sotto import makes a new device, which joins your groups anew. Messages that wait to be delivered stay where they are.`;

const IMPORT = `sotto import FILE -t HOST -p PORT -i NAME [options]   make a new device from an archive
sotto import FILE LINK [-i NAME]

  -i, --name NAME          whose archive it is
  -t, -p, -k, --tls        the server, as for sotto join; --trust-new as there
      --store FOLDER       where the new device is to keep its keys and messages
      --merge              into a store of the same account that has something: it gets the
                           messages and contacts that it lacks
      --password-file F    the account's password is the first line of F
      --password-fd N      or the first line of descriptor N
      --key-file F         what is stored opens by F    --new-key-file  make F
      --passphrase-file F  the passphrase of the archive is the first line of F
      --passphrase-fd N    or the first line of descriptor N
      --json               one JSON object a line

The archive is read whole before anything is written. The device logs in with the password, and the account's key in the
archive confirms it; when the server is away the next sotto join does that. Your other devices bring it into your groups
while they and it are connected. An import that was cut off: the same again with --merge.`;

const PANIC = `sotto panic -i NAME [options]                    destroy what this machine has of an account

${STORED_OPTIONS}
      --everywhere         end this device's session at the server first, if that answers
                           within seconds; this alone needs the password or key file
      --yes                ask nothing; else NAME has to be typed
      --json               one JSON object a line

First the key that all else is sealed under is overwritten: from then on nothing opens the rest, though the machine loses
power. Then the files go. It cannot reach what a flash disk keeps of overwritten blocks, backups, snapshots, exports, or what others have.
In a conversation: /panic, or /panic everywhere.`;

const TOPICS: Readonly<Record<string, string>> = {
  host: HOST,
  join: JOIN,
  mailbox: MAILBOX,
  servers: SERVERS,
  invite: INVITE,
  listen: LISTEN,
  connect: CONNECT,
  doctor: DOCTOR,
  completion: COMPLETION,
  export: EXPORT,
  import: IMPORT,
  panic: PANIC,
};

/** What `sotto help` tells more about. */
export const HELP_TOPICS = Object.keys(TOPICS);

/** What /help shows in a conversation. */
export function chatHelp(): string {
  return `While you talk:
  /add NAME              ask NAME to become a contact
  /accept NAME           accept a request          /decline NAME   decline it
  /remove NAME           end a contact             /block NAME     and hear nothing more
  /unblock NAME          let NAME ask again
  /contacts              everyone, and who is there
  /to NAME [TEXT]        write to NAME, or to a group, from now on
  /history NAME [N]      the last N messages       (20)
  /search WORDS          messages that hold them, newest first
  /queue                 what is not delivered yet
  /resend NUMBER         send a message of the queue anew
  /discard NUMBER        or give up on it
  /verify NAME           show the safety number to compare
  /confirm NAME          compare and trust the changed key of a contact
  /invite [NAME]         make an invite link
  /help                  this                      /quit           leave
${MESSAGES}
Groups, by their name ("in quotes" when it has spaces) or the first characters of their id:
  /group new NAME [CONTACT…]   make one, with contacts
  /group list                  those that you are in, and invitations
  /group members GROUP         who is in, who is admin, whose key you know
  /group add GROUP NAME…       let contacts in     /group remove GROUP NAME…  take members out
  /group rename GROUP NEW NAME                     /group leave GROUP
  /group admin GROUP NAME [off]                    name an admin, or end that
  /group accept ID             join the group of somebody who is no contact
  /group decline ID            or do not
Your account and its devices:
  /devices               those that are connected, wait, or were revoked
  /approve [CODE]        let a new device in: shows a code; with it, says that both show the same
  /deny [DEVICE]         refuse it                 /revoke DEVICE  end a device's session
  /recovery FILE         write a recovery file
  /reset-key             make a new account key; every contact must confirm it
  /password              change the password       /login          log in again
  /delete-account        delete the account
  /panic [everywhere]    destroy this device's keys and messages; its session as well
Secrets are asked for, never typed behind a command. Anything else is sent; a line that begins with // is sent with one /.`;
}

/** What /help shows where there is no server. */
export function peerHelp(): string {
  return `While you talk:
  /connect HOST:PORT [PIN]  reach another peer     /contacts       everyone, and who is there
  /to NAME [TEXT]        write to NAME from now on
  /history NAME [N]      the last N messages       (20)
  /search WORDS          messages that hold them, newest first
  /queue                 what is not delivered yet
  /discard NUMBER        give up on a message of the queue
  /verify NAME           show the safety number to compare
  /confirm NAME          compare and trust the changed key of a contact
  /panic                 destroy keys and messages of this device
  /help                  this                      /quit           leave
${MESSAGES}
Anything else is sent; a line that begins with // is sent with one /.`;
}

export function helpText(about?: string): string {
  if (about === undefined) return GENERAL;
  const text = TOPICS[about];
  if (text === undefined) throw new UsageError(`there is no command "${about}"${didYouMean(about, HELP_TOPICS, 'sotto help ')}`);
  return text;
}
