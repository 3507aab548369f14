// Bundles index.html of the working directory, where Parcel takes the project to be, into the folder that is named.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { default: Parcel } = require("@parcel/core");

await new Parcel({
  entries: "index.html", mode: "production", shouldDisableCache: true,
  defaultConfig: require.resolve("@parcel/config-default"),
  defaultTargetOptions: { distDir: process.argv[2], publicUrl: "./" },
}).run();
