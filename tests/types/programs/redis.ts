// Every release of the client that the store takes.
import { redisStore } from "digitalpaye-auth/stores/redis";
import { createClient, createCluster } from "redis";
import { createClient as createClient4 } from "redis4";
import { createClient as createClient6 } from "redis6";

export const stores = [
  redisStore(createClient()), redisStore(createCluster({ rootNodes: [] })), redisStore(createClient4()), redisStore(createClient6()),
];
