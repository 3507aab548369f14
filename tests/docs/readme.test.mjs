// The programs of the front page.
import { testBlocks } from "./blocks.mjs";
import { pages } from "./pages.mjs";
import { recipes } from "./recipes/readme.mjs";

testBlocks(pages.find(({ en }) => en === "README.md"), recipes);
