import type { Answer, Visit } from './answers.ts';
import { cardOf } from './card.ts';
import { type Host, whose } from './host.ts';
import { button, make, put, saidFailure, say, start } from './page.ts';
import { offer, showOutcome } from './visit-flow.ts';

/** The appointment cards: visits with their calendar files, to be moved or cancelled. */

function show(answer: Answer, host: Host): void {
  if (answer.failed) put('Visits', []);
  if (saidFailure(answer)) return;
  const { appointments, appointment, outcome } = answer.data;
  if (appointments !== undefined) showList(appointments, answer, host);
  else if (outcome === 'preview' && appointment !== undefined) askToCancel(answer, appointment, host, {});
  else showOutcome(answer, host);
}

function showList(appointments: readonly Visit[], answer: Answer, host: Host): void {
  const past = host.opened.input['when'] === 'past';
  const title = past ? 'Past and cancelled visits' : 'Visits ahead';
  const cards = appointments.map((visit) =>
    cardOf(visit, { extra: answer.extra, host, actions: past ? [] : actionsFor(visit, host) }),
  );
  put(title, cards);
  const { more = 0 } = answer.data;
  say(cards.length === 0 ? 'None recorded.' : more > 0 ? `${more} more are not shown.` : '', 'quiet');
}

function actionsFor(visit: Visit, host: Host): HTMLElement[] {
  if (!host.callsTools || visit.status !== 'booked') return [];
  const args = { ...whose(host), appointmentId: visit.appointmentId };
  const move = async () => {
    say('Looking for times…', 'busy');
    const answer = await host.call('rescheduleAppointment', args);
    if (saidFailure(answer)) return;
    const { choices = [] } = answer.data;
    if (choices.length === 0) showOutcome(answer, host, { focus: true });
    else offer(choices, { tool: 'rescheduleAppointment', args }, { answer, host, focus: true });
  };
  const cancel = async () => {
    say('One moment…', 'busy');
    const answer = await host.call('cancelAppointment', args);
    if (saidFailure(answer)) return;
    const { appointment } = answer.data;
    if (appointment === undefined) showOutcome(answer, host, { focus: true });
    else askToCancel(answer, appointment, host, { focus: true });
  };
  return [button('Move', move), button('Cancel', cancel)];
}

function askToCancel(answer: Answer, visit: Visit, host: Host, { focus = false }): void {
  const args = { ...whose(host), appointmentId: visit.appointmentId, confirm: answer.data.confirm };
  const cancel = async () => {
    say('One moment…', 'busy');
    const done = await host.call('cancelAppointment', args);
    if (saidFailure(done)) return;
    showOutcome(done, host, { focus: true });
    await host.tell(done.text);
  };
  const keep = () => {
    put('The visit stays', [cardOf(visit, { extra: answer.extra, host })], { focus: true });
    say('Nothing was changed.', 'quiet');
  };
  const actions = host.callsTools
    ? [button('Yes, cancel it', cancel, 'danger'), button('Keep it', keep)]
    : [make('p', { class: 'note' }, 'Tell the assistant whether to cancel it.')];
  put('Cancel this visit?', [cardOf(visit, { extra: answer.extra, host, actions })], { focus });
  say('Not cancelled yet.', 'quiet');
}

start('appointments', show);
