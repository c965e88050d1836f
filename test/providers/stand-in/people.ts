/** The actions of people by name; each takes the stand-in's world and one plain object. */
type Verbs<World> = Record<string, (world: World, given: never) => unknown>;

/** The actions, bound to a world. */
export type Bound<V extends Verbs<never>> = {
  [Name in keyof V]: (given: Parameters<V[Name]>[1]) => Promise<Awaited<ReturnType<V[Name]>>>;
};

/** Binds the actions to a world. Each resolves after `afterwards`, which waits for the deliveries that the action caused. */
export function bindVerbs<World, V extends Verbs<World>>(
  verbs: V,
  world: World,
  afterwards: () => Promise<void>,
): Bound<V> {
  const bound = Object.entries(verbs).map(([name, verb]) => [
    name,
    async (given: never): Promise<unknown> => {
      const result: unknown = await verb(world, given);
      await afterwards();
      return result;
    },
  ]);
  return Object.fromEntries(bound) as Bound<V>;
}
