/** What to do about a server with another identity than the one that is known here. */
export const ASK_OPERATOR = 'ask its operator, by another way, before you log in: somebody may stand between';

export const INTERCEPTION = `the server shows another identity than the one that is known here, and was told nothing: ${ASK_OPERATOR}`;
