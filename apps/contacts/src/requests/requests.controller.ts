import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { Contacts } from '@sotto/protocol';
import type { AcceptContactRequest, AcceptContactResponseSchema, ContactRequestRequest, DeclineContactRequest } from '@sotto/protocol';
import { RequestsService } from './requests.service.js';

@Controller()
export class RequestsController {
  constructor(private readonly requests: RequestsService) {}

  @Rpc(Contacts.method.request)
  async request(@Payload() { name }: ContactRequestRequest, @Ctx() caller: RpcCaller): Promise<object> {
    await this.requests.request(caller, name);
    return {};
  }

  @Rpc(Contacts.method.accept)
  async accept(
    @Payload() { name }: AcceptContactRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof AcceptContactResponseSchema>> {
    return { contact: await this.requests.accept(caller, name) };
  }

  @Rpc(Contacts.method.decline)
  async decline(@Payload() { name }: DeclineContactRequest, @Ctx() caller: RpcCaller): Promise<object> {
    await this.requests.decline(caller, name);
    return {};
  }
}
