import type { Request, Response } from "express";
import type { Grant } from "./capability.ts";

/** One git request from the sandbox of a task. */
export interface GitRequest {
  grant: Grant;
  repositoryId: string;
  request: Request;
  response: Response;
  /** Aborts when the client closes the connection. */
  signal: AbortSignal;
}
