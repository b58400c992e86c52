/** Ids and people of the examples. Made up, and the same in each, so that the examples tell one story. */
export const EXAMPLE_IDS = {
  candidate: 'can_2tGXv0bJ8sQd5mWnYcRkZa',
  employee: 'emp_7KqLw3Nf0xVbT9uEoHsIyP',
  employment: 'ept_1aSdF4gHjKlQ6wErTyUiOp',
  assignment: 'asg_5zXcVbNm8qWeRtYuI2oPaS',
  compensation: 'cmp_9lKjHgFdS3aPoIuYtReWqM',
  department: 'dep_4mNbVcXzL7kJhGfDsApOiU',
  legalEntity: 'len_6yHnJuMkI0lOpQaZwSxEdC',
  endpoint: 'end_8rFvTgByHnUjMiKoLpZaQx',
} as const

export const EXAMPLE_PERSON = { given_name: 'Ada', family_name: 'Byron', email: 'ada.byron@example.com', birth_date: '1990-12-10' } as const

export const EXAMPLE_ASSIGNMENT = {
  id: EXAMPLE_IDS.assignment,
  employment_id: EXAMPLE_IDS.employment,
  is_primary: true,
  title: 'Payroll analyst',
  department_id: EXAMPLE_IDS.department,
}

export const EXAMPLE_COMPENSATION = {
  id: EXAMPLE_IDS.compensation,
  assignment_id: EXAMPLE_IDS.assignment,
  components: [{ kind: 'base' as const, amount: '4250.00', currency: 'EUR', period: 'month' as const }],
  pay_frequency: 'monthly' as const,
}

export const EXAMPLE_EMPLOYMENT = {
  id: EXAMPLE_IDS.employment,
  legal_entity_id: EXAMPLE_IDS.legalEntity,
  employment_type: 'employee' as const,
  start_date: '2026-09-01',
}
