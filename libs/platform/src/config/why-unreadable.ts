const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is not there',
  EISDIR: 'is a folder',
  EACCES: 'may not be read by this user',
  EPERM: 'may not be read by this user',
};

/** What is the matter with a file, by the error of who wanted to read it. */
export function whyUnreadable(error: unknown): string {
  return WHY[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be read';
}
