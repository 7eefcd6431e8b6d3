// The floor for a relay on Node: `ws`, and a table from index to socket. A message starts with the index that it is for.
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

const sockets: (WebSocket | undefined)[] = [];
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, clientTracking: false });

server.on('connection', (socket, request) => {
  sockets[Number(request.url?.slice(1))] = socket;
  socket.on('message', (data: Buffer) => sockets[data.readUInt32LE(0)]?.send(data));
});
server.on('listening', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
