interface Named {
  readonly name: string;
}

/** What somebody may have meant who named nobody that is there; undefined: nothing is near. */
export function whomMeant(name: string, groups: readonly Named[], contacts: readonly Named[]): string | undefined {
  const group = groups.find((each) => each.name.startsWith(`${name} `));
  if (group !== undefined) return `a name with spaces goes in quotes, "${group.name}"`;
  // A server adds a tag to the names of those whose invites had none.
  const [tagged, another] = contacts.filter((each) => each.name.startsWith(`${name}.`));
  return tagged === undefined || another !== undefined ? undefined : `did you mean ${tagged.name}?`;
}
