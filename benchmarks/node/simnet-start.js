/** The least a program does to have a simnet: its argument is the manifest of the project. */
import { initSimnet } from "@stacks/clarinet-sdk";

await initSimnet(process.argv[2], false, { trackCosts: true, trackCoverage: false });
process.exit(0);
