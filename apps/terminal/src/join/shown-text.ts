/** `[14:03]`, with the day when it is not today's; local time. */
export function clock(time: number, now: number): string {
  const at = new Date(time);
  const hours = timeOfDay(time);
  const sameDay = at.toDateString() === new Date(now).toDateString();
  return sameDay ? `[${hours}]` : `[${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${hours}]`;
}

/** `14:03`, local time. */
export function timeOfDay(time: number): string {
  const at = new Date(time);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** What others wrote must not move the cursor, change colours, or turn the reading direction of what follows. */
export function visible(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll('\t', '  ')
    .replaceAll(/[\u202a-\u202e\u2066-\u2069]|(?!\n)\p{Cc}/gu, '\ufffd');
}

/** Text of others in one line of ours. */
export function oneLine(text: string): string {
  return visible(text).replaceAll('\n', ' ');
}

/** Further lines of a text stand below its beginning, so that nobody can write lines in the name of another. */
export function indented(head: string, text: string): string[] {
  const [first = '', ...rest] = visible(text).split('\n');
  return [`${head}${first}`, ...rest.map((line) => `${' '.repeat(head.length)}${line}`)];
}
