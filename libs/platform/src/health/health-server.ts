import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** Part of readiness: rejects or answers false when the service lacks what it names. */
export interface HealthCheck {
  name: string;
  check: () => boolean | Promise<boolean>;
}

const CHECK_LIMIT_MS = 2_000;

/** `/healthz` (the process runs), `/readyz` (it has what it needs, and is not draining), `/metrics`, on a port of their own. */
export class HealthServer {
  private ready = false;
  private readonly server: Server;

  constructor(
    private readonly registry: Registry,
    private readonly checks: readonly HealthCheck[],
  ) {
    this.server = createServer((request, response) => void this.answer(request.url ?? '', response));
  }

  /** Port 0 picks a free one. Returns the port. */
  async listen(port: number, host = '0.0.0.0'): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : port;
  }

  /** False while starting and draining. */
  setReady(ready: boolean): void {
    this.ready = ready;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(url: string, response: ServerResponse): Promise<void> {
    try {
      if (url === '/healthz') sendJson(response, 200, { status: 'ok' });
      else if (url === '/readyz') await this.answerReady(response);
      else if (url === '/metrics') response.setHeader('content-type', this.registry.contentType).end(await this.registry.metrics());
      else sendJson(response, 404, { status: 'not found' });
    } catch {
      sendJson(response, 500, { status: 'error' });
    }
  }

  private async answerReady(response: ServerResponse): Promise<void> {
    const results = await Promise.all(this.checks.map(async (one) => ((await passes(one)) ? undefined : one.name)));
    const lacking = results.filter((name) => name !== undefined);
    if (!this.ready) lacking.unshift('service');
    sendJson(response, lacking.length === 0 ? 200 : 503, lacking.length === 0 ? { status: 'ready' } : { status: 'not ready', lacking });
  }
}

async function passes({ check }: HealthCheck): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), CHECK_LIMIT_MS)));
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
