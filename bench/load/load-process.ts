/** A process full of simulated nodes. */
import { createKernel } from '../../src/kernel/kernel.js';
import { hostFacts } from '../../src/node/host-facts.js';
import { serveRole } from '../role.js';
import { echoSurface } from './echo-surface.js';
import { eachLimited, enrolFleet } from './enrolment.js';
import { echoResponder, SimulatedNode } from './simulated-node.js';

export type LoadAsks = {
  /** Enrols one node for each join string and connects all. Somebody has to approve them meanwhile. */
  join(body: { readonly joinStrings: readonly string[] }): Promise<void>;
};

const connectingAtATime = 32;
let fleet: readonly SimulatedNode[] = [];

async function join(joinStrings: readonly string[]): Promise<void> {
  const { deadlines } = createKernel();
  const plugins = await echoSurface();
  const facts = hostFacts();
  const enrolled = await enrolFleet({ joinStrings, plugins, facts });
  fleet = enrolled.map(
    (node) =>
      new SimulatedNode({
        node,
        plugins,
        facts,
        deadlines,
        respond: echoResponder,
        // Whoever measures must not go on with fewer nodes than it says.
        onEnded: (error) => {
          console.error(`Simulated node ${node.deviceId} lost its stream`, error);
          process.exit(1);
        },
      }),
  );
  await eachLimited(fleet, connectingAtATime, (node) => node.connect());
}

serveRole<LoadAsks>({ join: async ({ joinStrings }) => join(joinStrings) }, async () => {
  for (const node of fleet) node.close();
});
