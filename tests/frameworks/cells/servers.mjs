// Servers of Node.js.
import { CLIENT, IMPORT, REQUIRE } from "../lib/code.mjs";

const nest = {
  "tsconfig.json": JSON.stringify({
    compilerOptions: {
      module: "commonjs", moduleResolution: "node10", target: "es2023", outDir: "./dist", rootDir: "./src", strict: true, esModuleInterop: true,
      emitDecoratorMetadata: true, experimentalDecorators: true, skipLibCheck: true, types: ["node"],
    },
    include: ["src"],
  }),
  "nest-cli.json": JSON.stringify({ collection: "@nestjs/schematics", sourceRoot: "src", compilerOptions: { deleteOutDir: true } }),
  "src/auth.service.ts": `import { Injectable } from "@nestjs/common";
${IMPORT}
@Injectable()
export class AuthService {
  private readonly auth = DigitalpayeAuth.fromEnv();

  async balance() {
    const response = await this.auth.fetch("v1/balance");
    return { status: response.status, body: await response.json() };
  }
}
`,
  "src/main.ts": `import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { AuthService } from "./auth.service";

@Controller()
class AppController {
  constructor(private readonly auth: AuthService) {}

  @Get()
  balance() {
    return this.auth.balance();
  }
}

@Module({ controllers: [AppController], providers: [AuthService] })
class AppModule {}

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(Number(process.env.PORT), "127.0.0.1");
}
void bootstrap();
`,
};

export const servers = [
  {
    name: "nestjs", title: "NestJS", how: { en: "CommonJS, `nest build`", fr: "CommonJS, `nest build`" },
    type: "commonjs", package: "@nestjs/core",
    dependencies: {
      "@nestjs/common": "12.5.1", "@nestjs/core": "12.5.1", "@nestjs/platform-express": "12.5.1", "reflect-metadata": "0.2.2", rxjs: "7.8.2",
      "@nestjs/cli": "12.0.8", "@types/node": "24.10.1", typescript: "5.9.3",
    },
    files: nest,
    build: [["nest", "build"]], serve: ["node", "dist/main.js"],
  },
  {
    name: "fastify", title: "Fastify", how: { en: "CommonJS", fr: "CommonJS" },
    type: "commonjs", node: 20, dependencies: { fastify: "5.12.8" },
    files: {
      "server.js": `const fastify = require("fastify")();
${REQUIRE}${CLIENT}
fastify.get("/", balance);
fastify.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
`,
    },
    serve: ["node", "server.js"],
  },
  {
    name: "hono", title: "Hono", how: { en: "on Node, `@hono/node-server`", fr: "sur Node, `@hono/node-server`" },
    node: 20, dependencies: { hono: "4.13.19", "@hono/node-server": "2.1.9" },
    files: {
      "index.js": `import { serve } from "@hono/node-server";
import { Hono } from "hono";
${IMPORT}${CLIENT}
const app = new Hono();
app.get("/", async (context) => context.json(await balance()));
serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
`,
    },
    serve: ["node", "index.js"],
  },
  {
    name: "express", title: "Express", how: { en: "ES modules", fr: "modules ES" },
    node: 20, dependencies: { express: "5.3.0" },
    files: {
      "index.js": `import express from "express";
${IMPORT}${CLIENT}
const app = express();
app.get("/", async (request, response) => response.json(await balance()));
app.listen(Number(process.env.PORT), "127.0.0.1");
`,
    },
    serve: ["node", "index.js"],
  },
];
