import type { Team } from "../state/teams.ts";

/** `team.info`. */
export function viewTeam(team: Team): Record<string, unknown> {
  const image = `https://avatars.slack-edge.com/${team.id}`;
  return {
    id: team.id,
    name: team.name,
    domain: team.domain,
    url: `https://${team.domain}.slack.com/`,
    email_domain: "",
    icon: { image_34: `${image}_34.png`, image_default: true },
    ...(team.enterprise && { enterprise_id: team.enterprise.id, enterprise_name: team.enterprise.name }),
  };
}

/** The workspace in interactions. */
export function viewTeamBriefly(team: Team): Record<string, unknown> {
  const { id, domain, enterprise } = team;
  return { id, domain, ...(enterprise && { enterprise_id: enterprise.id, enterprise_name: enterprise.name }) };
}
