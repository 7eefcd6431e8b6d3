/** What each exit code says; main.ts keeps to it. */
export const EXIT_STATUS = `0  all went well, or the user left
1  something failed, and a line says what; of sotto doctor: something is broken; of lines that
   came through a pipe: one could not be done, or a message stays here (it has 10 s to leave)
2  it cannot be done as it was asked, and a line says what to ask instead`;
