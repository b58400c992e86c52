import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dateAt, dayBefore, isTimeZone, midnightAt } from './site-time.ts'

describe('the time of a site', () => {
  it('tells the calendar date where the site is, on both sides of the date line', () => {
    const moment = new Date('2026-06-15T11:30:00Z')
    assert.equal(dateAt(moment, 'Pacific/Kiritimati'), '2026-06-16')
    assert.equal(dateAt(moment, 'UTC'), '2026-06-15')
    assert.equal(dateAt(moment, 'Pacific/Niue'), '2026-06-15')
    assert.equal(dateAt(new Date('2026-06-15T10:59:59Z'), 'Pacific/Pago_Pago'), '2026-06-14')
  })

  it('begins a day at midnight of the site, also when that night is longer or shorter', () => {
    assert.equal(midnightAt('2026-03-29', 'Europe/Berlin').toISOString(), '2026-03-28T23:00:00.000Z')
    assert.equal(midnightAt('2026-03-30', 'Europe/Berlin').toISOString(), '2026-03-29T22:00:00.000Z')
    assert.equal(midnightAt('2026-07-01', 'Asia/Kolkata').toISOString(), '2026-06-30T18:30:00.000Z')
    assert.equal(midnightAt('2026-07-01', 'Asia/Kathmandu').toISOString(), '2026-06-30T18:15:00.000Z')
  })

  it('begins a day whose midnight the clocks skip at its first moment', () => {
    assert.equal(midnightAt('2018-11-04', 'America/Sao_Paulo').toISOString(), '2018-11-04T03:00:00.000Z')
    assert.equal(midnightAt('2026-04-24', 'Africa/Cairo').toISOString(), '2026-04-23T22:00:00.000Z')
  })

  it('begins a day whose midnight comes twice at the first of them', () => {
    // Clocks in Havana go back from 01:00 to 00:00.
    assert.equal(midnightAt('2026-11-01', 'America/Havana').toISOString(), '2026-11-01T04:00:00.000Z')
  })

  it('agrees with itself: a day begins on its own date, and a millisecond earlier it is the day before', () => {
    for (const zone of ['America/Sao_Paulo', 'Africa/Cairo', 'America/Havana', 'Asia/Beirut', 'Pacific/Chatham', 'Australia/Lord_Howe']) {
      for (let day = Date.parse('2018-01-01'); day < Date.parse('2019-01-01'); day += 86_400_000) {
        const date = new Date(day).toISOString().slice(0, 10)
        const begin = midnightAt(date, zone)
        assert.equal(dateAt(begin, zone), date)
        assert.equal(dateAt(new Date(begin.getTime() - 1), zone), dayBefore(date))
      }
    }
  })

  it('knows the day before across months and leap years', () => {
    assert.equal(dayBefore('2028-03-01'), '2028-02-29')
    assert.equal(dayBefore('2026-01-01'), '2025-12-31')
  })

  it('knows the zones of the IANA database and no others', () => {
    for (const zone of ['Europe/Berlin', 'UTC', 'Asia/Calcutta', 'Etc/GMT+5']) assert.equal(isTimeZone(zone), true, zone)
    for (const zone of ['Mars/Phobos', '', 'Berlin', 'UTC+1', '+01:00', '-03', '+0130']) assert.equal(isTimeZone(zone), false, zone)
  })
})
