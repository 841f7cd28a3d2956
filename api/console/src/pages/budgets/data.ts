import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, ask, type Schemas } from '../../api/client';

export function useBudgets() {
  return useQuery({ queryKey: ['budgets'], queryFn: () => ask(api.GET('/v1/budgets')), staleTime: 30_000 });
}

/** Sets what may be spent in a day and a month. */
export function useSetBudget() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['BudgetChange']) => ask(api.PUT('/v1/budgets', { body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['budgets'] }),
  });
}

export function useSwitches() {
  return useQuery({
    queryKey: ['switches'],
    queryFn: () => ask(api.GET('/v1/kill-switch')),
    staleTime: 30_000,
  });
}

/** Throws a switch: for the company, a campaign or a sender. */
export function useSetSwitch() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas['SwitchChange']) => ask(api.PUT('/v1/kill-switch', { body })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ['switches'] });
      void queries.invalidateQueries({ queryKey: ['campaign'] });
    },
  });
}
