/** An incarnation as it stands in subjects: 8 hex digits. */
export function incarnationText(incarnation: number): string {
  return incarnation.toString(16).padStart(8, '0');
}

export function relayInSubject(relay: number): string {
  return `relay.${incarnationText(relay)}.in`;
}

export function gatewayOutSubject(gateway: number): string {
  return `gateway.${incarnationText(gateway)}.out`;
}

export function gatewayEventSubject(gateway: number): string {
  return `gateway.${incarnationText(gateway)}.event`;
}
