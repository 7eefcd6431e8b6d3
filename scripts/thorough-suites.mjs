// Suites that plain `npm test` leaves out, each with its reason: see docs/decisions/thorough-tests.md. Single tests say it by `itThoroughly`
// (@sotto/testing/thoroughly). A suite that is named on the command line runs all the same.
export const THOROUGH_SUITES = {
  'test/demo/src/messages.spec.ts':
    'test/tui/src/talking.spec.ts has replies, reactions, edits and searches, test/e2e/messages.spec.ts the rest',
  'test/demo/src/package.spec.ts': 'installs from the registry of npm; the bundle that it installs is what all of test/demo runs',
  'test/deploy/kubernetes-story.spec.ts':
    'twelve processes for what test/e2e tells on the services; kubernetes.spec.ts reads the manifests',
  'test/e2e/echo-bot.spec.ts': 'an example on the SDK that all of test/e2e uses',
  'test/e2e/large-group.spec.ts': 'fifty members, to see that so many can; groups.spec.ts tells what they do',
  'test/e2e/timing.spec.ts': 'measures times, over hundreds of rounds; that the replies are equal byte by byte is in refusals.spec.ts',
  'test/tui/src/crowds.spec.ts': 'measures frames under a flood of messages; what is drawn of them is in apps/terminal/src/tui',
  'test/tui/src/one-session.spec.ts': 'two servers and a peer at once, six processes; what a session does with one is in talking.spec.ts',
  'test/tui/src/peers.spec.ts': 'the full screen for what test/demo/src/peers.spec.ts tells',
  'test/tui/src/returning.spec.ts':
    'a restart of the full screen after each step; what is kept over one is in stores.spec.ts and session-model.spec.ts',
  'test/tui/src/several-servers.spec.ts': 'the list of servers is in apps/terminal/src/servers, each session in talking.spec.ts',
};
