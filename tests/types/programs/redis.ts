// Every release of every client that the store takes.
import { GlideClient, GlideClusterClient } from "@valkey/valkey-glide";
import { Redis as Upstash } from "@upstash/redis";
import { kv } from "@vercel/kv";
import { redisStore } from "digitalpaye-auth/stores/redis";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis5";
import { Cluster as ValkeyCluster, Redis as Valkey } from "iovalkey";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { createClient as createClient4, createCluster as createCluster4 } from "redis4";
import { createClient as createClient6, createClientPool as createClientPool6, createCluster as createCluster6 } from "redis6";

export const stores = async () => [
  redisStore(createClient()), redisStore(createCluster({ rootNodes: [] })), redisStore(createClientPool()),
  redisStore(createSentinel({ name: "shop", sentinelRootNodes: [] })),
  redisStore(createClient4()), redisStore(createCluster4({ rootNodes: [] })),
  redisStore(createClient6()), redisStore(createCluster6({ rootNodes: [] })), redisStore(createClientPool6()),
  redisStore(new Redis5()), redisStore(new Cluster5([])), redisStore(new Redis()), redisStore(new Cluster([])),
  redisStore(new Valkey()), redisStore(new ValkeyCluster([])),
  redisStore(Upstash.fromEnv()), redisStore(kv),
  redisStore(await GlideClient.createClient({ addresses: [] })), redisStore(await GlideClusterClient.createClient({ addresses: [] })),
  redisStore((script, keys, args) => new Redis().call("EVAL", script, keys.length, ...keys, ...args), { prefix: "shop:" }),
];
