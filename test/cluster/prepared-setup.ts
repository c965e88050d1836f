import { inject } from "vitest";
import { prepared } from "./prepared.ts";

await prepared(inject("preparedFile"));
