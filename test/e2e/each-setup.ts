import { beforeEach } from "vitest";
import { skipWhereLacking } from "../needs.ts";
import { lacksNode } from "./on-node.ts";

beforeEach((context) => skipWhereLacking(context, lacksNode));
