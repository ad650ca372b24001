// What PLUS Web's scripts lend one another.
interface Window {
  plus: {
    say(words: string): void;
    visit(to: string, how?: { method?: string; body?: URLSearchParams; submitter?: HTMLElement | null; history?: "push" | "" }): Promise<void>;
    beside(to: string): string;
    toast(words: string): void;
  };
}
