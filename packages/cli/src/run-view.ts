/** What a run tells while it goes, on the terminal: lines, and one bar at a time. */
import type { RunEvent } from "diptych";
import type { ProgressSeries } from "./progress.js";

/** @param label Of the bar of training steps. */
export function showRunEvent(
  series: ProgressSeries,
  event: RunEvent,
  label: string = "training",
): void {
  switch (event.event) {
    case "message":
      series.log(event.text);
      break;
    case "prepare":
      series.at(event.what).update(event.done, event.total);
      break;
    case "progress":
      series.at(label).update(event.step, event.totalSteps, {
        text: `loss ${event.loss.toFixed(3)} · ${Math.round(event.imagesPerSecond).toLocaleString("en")} images/s`,
        secondsLeft: event.secondsLeft,
      });
      break;
  }
}
