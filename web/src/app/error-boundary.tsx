import { Component, type ComponentChildren } from "preact";
import { ErrorBox } from "../ui/states";

interface State {
  error: unknown;
  failed: boolean;
}

/** A page that throws shows why, the rest of the viewer stays. */
export class ErrorBoundary extends Component<{ children: ComponentChildren }, State> {
  override state: State = { error: null, failed: false };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ error, failed: true });
  }

  render() {
    if (!this.state.failed) return this.props.children;
    return <ErrorBox error={this.state.error} onRetry={() => this.setState({ error: null, failed: false })} />;
  }
}
