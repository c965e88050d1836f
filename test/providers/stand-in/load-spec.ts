import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The file with a provider's own description of its API, which lies beside a checkout. A user's clone does not have it. */
export interface SpecFile<Spec> {
  /** The provider's name as people write it. */
  provider: string;
  file: URL;
  read(file: URL): Spec;
}

/** Creates a function that loads the description once per process, because it is large. It returns undefined and warns once if the file does not exist. */
export function specLoader<Spec>(
  { provider, file, read }: SpecFile<Spec>,
  warn: (message: string) => void = (message) => process.emitWarning(message),
): () => Spec | undefined {
  let loaded: { spec?: Spec } | undefined;
  const load = (): { spec?: Spec } => {
    if (existsSync(file)) return { spec: read(file) };
    warn(
      `${provider}'s API description is missing at ${fileURLToPath(file)}: requests and answers are not checked against it`,
    );
    return {};
  };
  return () => (loaded ??= load()).spec;
}

/** The first errors that a compiled schema found in a value. */
export function errorsIn({ errors }: { errors?: { instancePath: string; message?: string }[] | null }): string[] {
  return (errors ?? []).slice(0, 5).map((error) => `${error.instancePath || "/"} ${error.message ?? "is wrong"}`);
}
