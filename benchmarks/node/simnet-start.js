/** The minimal program that starts a simnet. Its argument is the manifest of the project. */
import { initSimnet } from "@stacks/clarinet-sdk";

await initSimnet(process.argv[2], false, { trackCosts: true, trackCoverage: false });
process.exit(0);
