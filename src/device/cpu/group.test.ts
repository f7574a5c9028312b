import { describe, expect, it } from "vitest";
import { UserError } from "../../base/errors.ts";
import { type AnswerMessage, answer, type CallMessage, ChannelGroup, LocalGroup } from "./group.ts";

/** A group whose workers answer only when told to. */
function manualGroup(size: number) {
  const posted: CallMessage[][] = Array.from({ length: size }, () => []);
  const answers: ((message: AnswerMessage) => void)[] = [];
  const deaths: ((error: Error) => void)[] = [];
  const group = new ChannelGroup(size, (rank, onAnswer, onDeath) => {
    answers[rank] = onAnswer;
    deaths[rank] = onDeath;
    return { post: (message) => void posted[rank].push(message), close: async () => {} };
  });
  return { group, posted, answers, deaths };
}

describe("a group of workers", () => {
  it("gives results in the order of ranks, whoever is first", async () => {
    const { group, posted, answers } = manualGroup(2);
    const both = group.callAll<string>("name", (rank) => [rank]);
    answers[1]({ id: posted[1][0].id, result: "second" });
    answers[0]({ id: posted[0][0].id, result: "first" });
    expect(await both).toEqual(["first", "second"]);
    expect(posted.map(([call]) => call.args)).toEqual([[0], [1]]);
  });

  it("fails the calls under way and all later ones when a worker dies", async () => {
    const { group, deaths } = manualGroup(2);
    const waiting = group.call(0, "work", []);
    deaths[1](new Error("worker 1 ended unexpectedly"));
    await expect(waiting).rejects.toThrow("worker 1 ended");
    await expect(group.call(0, "work", [])).rejects.toThrow("worker 1 ended");
  });

  it("brings a user's error across with its exit code", async () => {
    const { group, posted, answers } = manualGroup(1);
    const call = group.call(0, "refuse", []);
    const host = {
      refuse: () => {
        throw new UserError("no", 65);
      },
    };
    answers[0](await answer(host, posted[0][0]));
    await expect(call).rejects.toMatchObject({ name: "UserError", message: "no", exitCode: 65 });
  });
});

describe("the group of this thread alone", () => {
  it("calls the host", async () => {
    const group = new LocalGroup({ double: (x: number) => 2 * x });
    expect(await group.callAll("double", () => [21])).toEqual([42]);
  });
});
