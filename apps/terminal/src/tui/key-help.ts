import { CHAT_HELP } from '../command-line/chat-help.js';

const KEYS = `Keys:
  Enter                  send
  Alt-Enter, Ctrl-J      a new line
  Alt-Up, Alt-Down       the conversation before, after (also Ctrl-P, Ctrl-N)
  Tab                    the next with news; in a line that begins with / it completes commands, names and servers
  Ctrl-B                 the list, and back
  Esc                    close a panel; end scrolling back; go to the list
  PgUp, PgDn             scroll
  Up, Down               lines that were sent before
  Ctrl-F, Ctrl-G         search; members of the group
  Ctrl-A, Ctrl-E         beginning and end of the line
  Ctrl-W, Ctrl-U, Ctrl-K delete a word; to the beginning; to the end
  Ctrl-L                 draw anew
  Ctrl-C                 empty the input; when it is empty, leave (Ctrl-D too)
Marks: … queued  ✓ on its way  ✓✓ delivered  ! kept here  ✗ discarded
List:  ▣ connected  □ not  ● online  ○ offline  # group  ? asks  - no more

`;

const SERVERS = `
Servers of this session (a command is for the one whose conversation is shown, unless it says another):
  /add NAME@HOST:PORT    ask NAME there; HOST is enough when it is plain. So, too: /to, /accept, /decline,
                         /remove, /block, /unblock, /verify, /confirm, /history; NAME@peers where there is no server
  /group new NAME BOB@HOST:PORT
                         makes it there; of one elsewhere: /group add GROUP@HOST:PORT BOB
  /to @HOST:PORT         the account itself: /group new, /invite, /devices and the like are then for it
  /servers               all of them
  /servers add LINK|HOST:PORT NAME
                         open one more, and remember it
  /servers remove HOST:PORT [NAME]
                         close and forget it; what is stored stays
  /login                 where an account is not open: ask for its password again
Peers without a server, beside them:
  /listen -i NAME [-p PORT]
  /connect HOST:PORT -i NAME`;

/** What `?` and /help show. */
export function keyHelp(commands = CHAT_HELP): string[] {
  return `${KEYS}${commands}${SERVERS}`.split('\n');
}
