import { runStandIn } from "../stand-in/main.ts";
import { startAdmin } from "./admin.ts";
import { startSlack } from "./index.ts";

runStandIn({ serves: "Web API and response URLs", start: startSlack, startAdmin });
