// Every cell, in the order of the table.
import { nexts } from "./next.mjs";
import { nitros } from "./nitro.mjs";
import { runners } from "./runners.mjs";
import { servers } from "./servers.mjs";
import { sites } from "./sites.mjs";
import { tools } from "./tools.mjs";
import { workers } from "./workers.mjs";

export const cells = [...servers, ...runners, ...tools, ...sites, ...nexts, ...nitros, ...workers];
