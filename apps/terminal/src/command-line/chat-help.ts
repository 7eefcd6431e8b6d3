/** Part of what /help shows. */
const MESSAGES = `Messages, by the number that stands before them:
  /reply N TEXT          answer                    /react N EMOJI  react
  /edit N TEXT           change one of yours       /unreact N [EMOJI]  take it back
  /delete N              delete one of yours, for everybody
  /show N                show one that is hidden, as you have blocked who wrote it in a group
  /expire DURATION       what you write here from now on goes after 30s, 10m, 8h, 7d; off
  /read-receipts on      tell others what you have read (off)
  /retention DAYS        remove messages from this device so long after they came; off`;

/** What /help shows in a conversation. */
export const CHAT_HELP = `While you talk:
  /add NAME              ask NAME to become a contact (on the whole screen, with several servers, NAME@HOST:PORT)
  /accept NAME           accept a request          /decline NAME   decline it
  /remove [NAME]         end a contact             /block [NAME]   and hear nothing more; without
  /unblock NAME          let NAME ask again                        NAME: whom you write to, if you say yes
  /contacts              everyone, and who is there
  /to NAME [TEXT]        write to NAME, or to a group, from now on
  /history NAME [N]      the last N messages       (20)
  /search WORDS          messages that hold them, newest first
  /queue                 what is not delivered yet
  /resend N              try a message of the queue again now; all: what waits for this conversation, all NAME: for NAME
  /discard N             or give up on it; all, all NAME
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
  /group keep GROUP NAME…      write to members again whose removal cannot be checked
  /group rename GROUP NEW NAME                     /group leave GROUP
  /group admin GROUP NAME [off]                    name an admin, or end that
  /group accept ID             join the group of somebody who is no contact
  /group decline ID            or do not
Your account and its devices:
  /devices               those that are connected, wait, or were revoked
  /approve [DEVICE]      let a new device in: shows a code; of several that wait, name one
  /approve CODE          and says that both show the same
  /deny [DEVICE]         refuse it                 /revoke DEVICE  end a device's session (of this one: if you say yes)
  /invisible on          contacts are not told that this device is there (off)
  /recovery FILE         write a recovery file
  /reset-key             make a new account key; every contact must confirm it
  /password              change the password       /login          log in again
  /delete-account        delete the account
  /panic [everywhere]    destroy this device's keys and messages; its session as well
Secrets are asked for, never typed behind a command. Anything else is sent; a line that begins with // is sent with one /.`;

/** What /help shows in a mailbox. */
export const MAILBOX_HELP = `A mailbox understands, while its input is open:
  /devices               the account's devices: those that are connected, wait, or were revoked
  /approve [CODE]        lets this one in: asks your other devices; with the code, says that both show the same
  /deny [DEVICE]         takes that back, or refuses another that waits
  /invisible on          contacts are not told that this device is there (off)
  /help                  this                      /quit           ends it
All else is done with sotto join.`;

/** What /help shows where there is no server. */
export const PEER_HELP = `While you talk:
  /connect HOST:PORT [PIN]  reach another peer     /contacts       everyone, and who is there
  /to NAME [TEXT]        write to NAME from now on
  /history NAME [N]      the last N messages       (20)
  /search WORDS          messages that hold them, newest first
  /queue                 what is not delivered yet
  /resend N              try a message of the queue again now; all: what waits for this conversation, all NAME: for NAME
  /discard N             or give up on it; all, all NAME
  /verify NAME           show the safety number to compare
  /confirm NAME          compare and trust the changed key of a contact
  /panic                 destroy keys and messages of this device
  /help                  this                      /quit           leave
${MESSAGES}
Anything else is sent; a line that begins with // is sent with one /.`;
