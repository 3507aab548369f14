// The examples for which a framework has to be installed, built and started. `npm run check examples` runs this file, npm test does not.
import { serverCases } from "./server-cases.mjs";

serverCases("next");
serverCases("workers");
