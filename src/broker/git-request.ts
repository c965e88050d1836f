import type { Request, Response } from "express";
import type { Grant } from "./capability.ts";

/** One git request of a task. */
export interface GitRequest {
  grant: Grant;
  repositoryId: string;
  request: Request;
  response: Response;
  /** Aborts when the client hangs up. */
  signal: AbortSignal;
}
