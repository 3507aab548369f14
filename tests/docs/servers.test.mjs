// The servers of docs/recipes.md.
import { testBlocks } from "./blocks.mjs";
import { pages } from "./pages.mjs";
import { recipes } from "./recipes/servers.mjs";

testBlocks(pages.find(({ en }) => en === "docs/recipes.md"), recipes);
