import type { MessageInitShape } from '@bufbuild/protobuf';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { Rpc } from '@sotto/platform/rpc';
import type { RpcCaller } from '@sotto/platform/rpc';
import { Contacts } from '@sotto/protocol';
import type {
  BlockContactRequest,
  BlockContactResponseSchema,
  ListContactsRequest,
  ListContactsResponseSchema,
  RemoveContactRequest,
  UnblockContactRequest,
} from '@sotto/protocol';
import { ContactsService, legalCapabilities } from './contacts.service.js';

@Controller()
export class ContactsController {
  constructor(private readonly contacts: ContactsService) {}

  @Rpc(Contacts.method.list)
  async list(
    @Payload() _request: ListContactsRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof ListContactsResponseSchema>> {
    return { contacts: await this.contacts.list(caller) };
  }

  @Rpc(Contacts.method.remove)
  async remove(@Payload() { name, keepCapabilities }: RemoveContactRequest, @Ctx() caller: RpcCaller): Promise<object> {
    await this.contacts.remove(caller, name, legalCapabilities(keepCapabilities));
    return {};
  }

  @Rpc(Contacts.method.block)
  async block(
    @Payload() { name, keepCapabilities }: BlockContactRequest,
    @Ctx() caller: RpcCaller,
  ): Promise<MessageInitShape<typeof BlockContactResponseSchema>> {
    return { revokeCapabilities: await this.contacts.block(caller, name, legalCapabilities(keepCapabilities)) };
  }

  @Rpc(Contacts.method.unblock)
  async unblock(@Payload() { name }: UnblockContactRequest, @Ctx() caller: RpcCaller): Promise<object> {
    await this.contacts.unblock(caller, name);
    return {};
  }
}
